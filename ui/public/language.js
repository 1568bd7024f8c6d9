// Before anything else: where the system has no language (LANG=C), WebKit says that it speaks "C", and whoever formats
// numbers in the person's language (the charts do) ends in a RangeError. Then it is English, as all of the page.
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
}
