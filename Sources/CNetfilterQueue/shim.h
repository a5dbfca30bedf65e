#include <stdint.h>
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <libnetfilter_queue/libnetfilter_queue.h>

/// The number under which a verdict on a packet is given; 0 when it bears none.
static inline uint32_t cnetfilterqueue_id(struct nfq_data *packet) {
    struct nfqnl_msg_packet_hdr *header = nfq_get_msg_packet_hdr(packet);
    return header ? ntohl(header->packet_id) : 0;
}

static const uint32_t cnetfilterqueue_drop = NF_DROP;
static const uint32_t cnetfilterqueue_repeat = NF_REPEAT;
