// Moves the focus to each control that the Tab key reaches, and returns those that look the same with and without it.
const CONTROLS = 'a[href], button, input, select, textarea, summary, [tabindex]';
const LOOKS = ['outlineStyle', 'outlineWidth', 'outlineColor', 'boxShadow', 'backgroundColor', 'borderTopColor'];

// A ring may be that of the control, of what it draws over itself, or of what is around it.
function looks(control) {
  const around = [control, control.parentElement, control.closest('.field'), control.closest('label')].filter(Boolean);
  const parts = around.flatMap((one) => [null, '::before', '::after'].map((part) => getComputedStyle(one, part)));
  return JSON.stringify(parts.map((style) => LOOKS.map((name) => style[name])));
}

function isReached(control) {
  if (control.tabIndex < 0 || control.disabled || control.closest('[inert], [aria-hidden=true]')) return false;
  return control.getClientRects().length > 0 && getComputedStyle(control).visibility === 'visible';
}

const silent = [];
for (const control of document.querySelectorAll(CONTROLS)) {
  if (!isReached(control)) continue;
  document.activeElement?.blur();
  const before = looks(control);
  control.focus({ focusVisible: true, preventScroll: true });
  if (document.activeElement === control && looks(control) === before)
    silent.push(`${control.tagName.toLowerCase()} “${control.ariaLabel ?? control.innerText ?? ''}” (${control.className})`);
}
return silent;
