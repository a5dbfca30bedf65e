/// Expressions that look at a page as a careful reader would.
enum PageProbes {
    static let overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

    /// Texts of a drawing that lie on each other.
    static let overlappingTexts = """
        (function () {
          var found = [];
          document.querySelectorAll('svg').forEach(function (svg) {
            if (svg.parentElement.closest('svg')) return;
            var boxes = Array.prototype.map.call(svg.querySelectorAll('text'), function (text) {
              return { text: text.textContent, box: text.getBoundingClientRect() };
            }).filter(function (one) { return one.box.width > 0; });
            for (var i = 0; i < boxes.length; i++) for (var j = i + 1; j < boxes.length; j++) {
              var a = boxes[i].box, b = boxes[j].box;
              var x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
              var y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
              // Boxes of text are higher than its letters.
              if (x > 1 && y > 4) found.push(boxes[i].text + ' / ' + boxes[j].text);
            }
          });
          return found;
        })()
        """

    /// Words with less contrast to the page than 4.5 to 1, as WCAG asks; `class: ratio`.
    static let faintTexts = """
        (function () {
          function channels(colour) { return colour.match(/[0-9.]+/g).map(Number); }
          function luminance(c) {
            var p = c.slice(0, 3).map(function (v) { v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
            return 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2];
          }
          function ground(element) {
            for (var e = element; e; e = e.parentElement) {
              var c = channels(getComputedStyle(e).backgroundColor);
              if (c.length < 4 || c[3] > 0.99) return c;
            }
            return [255, 255, 255];
          }
          var faint = {};
          document.querySelectorAll('main *, header *, nav *, footer *').forEach(function (element) {
            var own = Array.prototype.some.call(element.childNodes, function (n) { return n.nodeType === 3 && n.nodeValue.trim(); });
            if (!own || element.tagName === 'title' || !element.getClientRects().length) return;
            var style = getComputedStyle(element);
            var ink = channels(element instanceof SVGElement ? style.fill : style.color);
            var a = luminance(ink), b = luminance(ground(element));
            var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (ratio < 4.5) faint[element.tagName + '.' + element.getAttribute('class') + ' ' + element.textContent.slice(0, 20)] = ratio.toFixed(2);
          });
          return Object.keys(faint).map(function (name) { return name + ': ' + faint[name]; });
        })()
        """

    /// Drawings that are to be seen and have no name, and tables without a caption.
    static let nameless = """
        Array.prototype.filter.call(document.querySelectorAll('svg, table'), function (e) {
          if (e.tagName === 'TABLE') return !e.caption;
          if (e.closest('[aria-hidden=true]') || e.parentElement.closest('svg')) return false;
          return !e.getAttribute('aria-label') && !e.querySelector('[aria-label]');
        }).map(function (e) { return e.outerHTML.slice(0, 120); })
        """

    /// Headings that skip a level.
    static let headings =
        "Array.prototype.map.call(document.querySelectorAll('h1,h2,h3,h4'), function (h) { return Number(h.tagName[1]); })"
}
