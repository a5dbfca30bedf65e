/// The only script of the report. Without it everything is there all the same: the browser shows the titles of the columns, and the
/// tables hold the numbers.
enum HTMLScript {
    /// Of ``text``, for the content security policy: the browser runs this script and no other. Where the two do
    /// not fit, the test in a browser fails, and the browser's complaint names the right one.
    static let digest = "sha256-M6mJCa/ScwtoVcqxy90tudrget16Pl98teS0L2kELd8="

    static let text = """
        (function () {
          'use strict';
          var plots = Array.prototype.slice.call(document.querySelectorAll('svg.plot'));
          var readout = document.createElement('div');
          readout.id = 'readout';
          readout.setAttribute('role', 'status');
          readout.hidden = true;
          document.body.appendChild(readout);

          function group(plot) {
            var line = plot.closest('.timeline');
            return line ? plots.filter(function (other) { return line.contains(other); }) : [plot];
          }
          var shown = null;
          function clear() {
            shown = null;
            readout.hidden = true;
            document.querySelectorAll('.cross').forEach(function (line) { line.remove(); });
          }
          function show(plot, index) {
            var columns = plot.columns;
            if (!columns.length) return;
            index = Math.max(0, Math.min(columns.length - 1, index));
            clear();
            shown = plot;
            plot.at = index;
            var column = columns[index].rect;
            var box = column.getBoundingClientRect();
            var middle = box.left + box.width / 2;
            group(plot).forEach(function (other) {
              var line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
              var x = (middle - plot.getBoundingClientRect().left) / plot.getBoundingClientRect().width * 100 + '%';
              line.setAttribute('class', 'cross');
              line.setAttribute('x1', x);
              line.setAttribute('x2', x);
              line.setAttribute('y2', '100%');
              other.appendChild(line);
            });
            readout.textContent = columns[index].text;
            readout.hidden = false;
            var width = readout.offsetWidth, height = readout.offsetHeight;
            var left = middle + 14 + width > document.documentElement.clientWidth ? middle - 14 - width : middle + 14;
            var top = Math.min(box.top + 6, document.documentElement.clientHeight - height - 6);
            readout.style.left = Math.max(4, left) + 'px';
            readout.style.top = Math.max(4, top) + 'px';
          }
          plots.forEach(function (plot) {
            // The browser's own tooltip would stand above the readout.
            plot.columns = Array.prototype.map.call(plot.querySelectorAll('.hits rect'), function (rect) {
              var title = rect.querySelector('title');
              var text = title ? title.textContent : '';
              if (title) title.remove();
              return { rect: rect, text: text };
            });
            function point(event) {
              // A finger that moves keeps the column where it came down as its target.
              var under = document.elementFromPoint(event.clientX, event.clientY);
              for (var i = 0; i < plot.columns.length; i++) {
                if (plot.columns[i].rect === under) { show(plot, i); return; }
              }
            }
            plot.addEventListener('pointerdown', point);
            plot.addEventListener('pointermove', point);
            // A finger leaves as soon as it is lifted; what it pointed at stays until something else is touched.
            plot.addEventListener('pointerleave', function (event) { if (event.pointerType !== 'touch') clear(); });
            plot.addEventListener('blur', function () { if (shown === plot) clear(); });
            plot.addEventListener('focus', function () {
              if (plot.matches(':focus-visible')) show(plot, plot.at || 0);
            });
            plot.addEventListener('keydown', function (event) {
              var last = plot.columns.length - 1;
              var step = event.shiftKey ? 10 : 1;
              var at = plot.at || 0;
              var to = { ArrowLeft: at - step, ArrowRight: at + step, Home: 0, End: last }[event.key];
              if (event.key === 'Escape') { clear(); return; }
              if (to === undefined) return;
              event.preventDefault();
              show(plot, to);
            });
          });

          document.addEventListener('pointerdown', function (event) { if (!event.target.closest('svg.plot')) clear(); });

          // What a link leads to may be folded away.
          function unfold() {
            var target = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
            for (var part = target; part; part = part.parentElement) {
              if (part.tagName === 'DETAILS') part.open = true;
            }
            if (target) target.scrollIntoView();
          }
          window.addEventListener('hashchange', unfold);
          unfold();

          var folded = [];
          window.addEventListener('beforeprint', function () {
            folded = Array.prototype.filter.call(document.querySelectorAll('details.more'), function (part) { return !part.open; });
            folded.forEach(function (part) { part.open = true; });
          });
          window.addEventListener('afterprint', function () { folded.forEach(function (part) { part.open = false; }); });

          document.querySelectorAll('[data-copy]').forEach(function (button) {
            if (!window.getSelection) return;
            button.hidden = false;
            button.addEventListener('click', function () {
              var range = document.createRange();
              range.selectNodeContents(document.getElementById(button.getAttribute('data-copy')));
              var selection = window.getSelection();
              selection.removeAllRanges();
              selection.addRange(range);
              var done = document.execCommand('copy');
              button.textContent = done ? 'Copied' : 'Press Ctrl-C';
            });
          });
        })();

        """
}
