"""Drives a running control API with the two Toxiproxy clients of PyPI: drive.py API_PORT UPSTREAM_PORT.

Talks through the proxies too, so that what the API says can be seen to be so. Ends with an exception at the first thing that is
not as it should be, and prints "all done" at the end.
"""
import socket
import sys
import time

import toxiproxy
from chaostoxi.proxy import actions as proxy_actions
from chaostoxi.proxy import probes as proxy_probes
from chaostoxi.toxic import actions as toxic_actions
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

API_PORT, UPSTREAM_PORT = int(sys.argv[1]), int(sys.argv[2])
UPSTREAM = "127.0.0.1:%d" % UPSTREAM_PORT


def echo(address, text=b"hello"):
    """Seconds that an echo through a proxy takes; None when it does not come."""
    host, port = address.rsplit(":", 1)
    began = time.monotonic()
    try:
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(text)
            got = b""
            while len(got) < len(text):
                part = connection.recv(100)
                if not part:
                    return None
                got += part
    except OSError:
        return None
    assert got == text
    return time.monotonic() - began


def expect(error, call):
    try:
        call()
    except error:
        return
    raise AssertionError("%s was expected" % error)


# toxiproxy-python
server = toxiproxy.Toxiproxy()
server.update_api_consumer("127.0.0.1", API_PORT)
assert server.running()
assert b'"2.12.0"' in server.version()
assert server.proxies() == {}
proxy = server.create(upstream=UPSTREAM, name="py")
assert proxy.enabled and not proxy.listen.endswith(":0")
assert echo(proxy.listen) is not None
expect(ProxyExists, lambda: server.create(upstream=UPSTREAM, name="py"))
proxy.add_toxic(type="latency", attributes={"latency": 300})
proxy.add_toxic(type="noop", stream="upstream", name="nothing", toxicity=0.5)
assert list(proxy.toxics()) == ["nothing", "latency_downstream"]
assert proxy.get_toxic("latency_downstream").attributes == {"latency": 300, "jitter": 0}
assert echo(proxy.listen) >= 0.3
expect(InvalidToxic, lambda: proxy.add_toxic(type="no such type"))
expect(InvalidToxic, lambda: proxy.add_toxic(type="latency", name="x", attributes={"latency": "slow"}))
expect(NotFound, lambda: proxy.destroy_toxic("never there"))
assert proxy.destroy_toxic("latency_downstream")
assert echo(proxy.listen) is not None
with proxy.down():
    assert not server.get_proxy("py").enabled
    assert echo(proxy.listen) is None
assert echo(proxy.listen) is not None
assert server.reset()
assert proxy.toxics() == {}
made = server.populate([{"name": "py", "upstream": "127.0.0.1:1", "listen": "127.0.0.1:0"}])
assert [p.name for p in made] == ["py"] and server.get_proxy("py").upstream == "127.0.0.1:1"
server.destroy_all()
assert server.proxies() == {}

# chaostoolkit-toxiproxy
configuration = {"toxiproxy_host": "127.0.0.1", "toxiproxy_port": API_PORT}
assert proxy_actions.create_proxy("ct", "127.0.0.1", UPSTREAM_PORT, listen_host="127.0.0.1", configuration=configuration)
assert proxy_probes.proxy_exist("ct", configuration)
listen = proxy_probes.get_proxy_attribute("ct", "listen", configuration)
assert listen.endswith(":" + configuration["ct_PORT"])
assert echo(listen) is not None
create = {
    "latency": lambda name: toxic_actions.create_latency_toxic("ct", name, 250, 5, configuration),
    "bandwidth": lambda name: toxic_actions.create_bandwith_degradation_toxic("ct", name, 1000, configuration),
    "slow_close": lambda name: toxic_actions.create_slow_connection_close_toxic("ct", name, 10, configuration),
    "timeout": lambda name: toxic_actions.create_timeout_toxic("ct", name, 1000, configuration),
    "slicer": lambda name: toxic_actions.create_slicer_toxic("ct", name, 64, 16, 10, configuration),
    "limit_data": lambda name: toxic_actions.create_limiter_toxic("ct", name, 1000000, configuration),
}
for kind, make in create.items():
    assert make(kind), kind
    toxics = proxy_probes.get_proxy_attribute("ct", "toxics", configuration)
    assert [t["type"] for t in toxics] == [kind], toxics
    if kind == "latency":
        assert echo(listen) >= 0.24
    if kind == "timeout":
        assert echo(listen) is None
    assert toxic_actions.delete_toxic("ct", kind, configuration)
# It has no attributes: None goes out as null.
assert toxic_actions.create_toxic("ct", "n", "noop", configuration=configuration)
assert proxy_actions.disable_proxy("ct", configuration)
assert echo(listen) is None
assert proxy_actions.reset(configuration)
assert echo(listen) is not None
assert proxy_probes.get_proxy_attribute("ct", "toxics", configuration) == []
assert proxy_actions.modify_proxy("ct", upstream_address="127.0.0.1:1", configuration=configuration)
assert proxy_probes.get_proxy_attribute("ct", "upstream", configuration) == "127.0.0.1:1"
proxy_actions.delete_proxy("ct", configuration)
assert not proxy_probes.proxy_exist("ct", configuration)
print("all done")
