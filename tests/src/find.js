// Finds what a person would: by role and name, among what can be seen. Arguments: role, name, whether a part of the
// name is enough, and the element to look in (or nothing). Returns elements, outermost first.
const [role, name, part, scope] = arguments;

const SELECTORS = {
  alert: '[role=alert]',
  article: 'article, [role=article]',
  button: 'button, [role=button], input[type=button], input[type=submit], summary',
  cell: 'td, [role=cell], [role=gridcell]',
  checkbox: 'input[type=checkbox]:not([role]), [role=checkbox]',
  combobox: 'select, [role=combobox]',
  complementary: 'aside, [role=complementary]',
  dialog: 'dialog[open], [role=dialog], [role=alertdialog]',
  group: 'fieldset, [role=group]',
  grid: 'table[role=grid], [role=grid]',
  heading: 'h1, h2, h3, h4, [role=heading]',
  img: 'img, [role=img]',
  link: 'a[href], [role=link]',
  list: 'ul, ol, [role=list]',
  listbox: '[role=listbox]',
  listitem: 'li, [role=listitem]',
  menuitem: '[role=menuitem], [role=menuitemradio], [role=menuitemcheckbox]',
  navigation: 'nav, [role=navigation]',
  option: 'option, [role=option]',
  radio: 'input[type=radio], [role=radio]',
  region: 'section[aria-label], section[aria-labelledby], [role=region]',
  row: 'tr, [role=row]',
  separator: '[role=separator]',
  status: 'output, [role=status]',
  switch: '[role=switch]',
  tab: '[role=tab]',
  tabpanel: '[role=tabpanel]',
  textbox: 'input:not([type]), input[type=text], input[type=search], input[type=url], input[type=password], input[type=number], textarea, [role=textbox], [role=searchbox], [role=spinbutton]',
};

const tidy = (text) => (text ?? '').replace(/\s+/g, ' ').trim();

function contents(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE) return '';
  if (node.getAttribute('aria-hidden') === 'true' || node.hidden) return '';
  if (node.getAttribute('aria-label')) return node.getAttribute('aria-label');
  if (node.tagName === 'IMG') return node.alt;
  const apart = getComputedStyle(node).display.startsWith('inline') ? '' : ' ';
  return apart + [...node.childNodes].map(contents).join('') + apart;
}

function nameOf(element) {
  const labelled = element.getAttribute('aria-labelledby');
  if (labelled) return tidy(labelled.split(/\s+/).map((id) => document.getElementById(id)).filter(Boolean).map(contents).join(' '));
  if (element.getAttribute('aria-label')) return tidy(element.getAttribute('aria-label'));
  if (element.labels?.length) return tidy([...element.labels].map(contents).join(' '));
  if (['INPUT', 'TEXTAREA', 'SELECT'].includes(element.tagName)) {
    return tidy(element.value && ['button', 'submit'].includes(element.type) ? element.value : element.placeholder || element.title);
  }
  return tidy(contents(element)) || tidy(element.title);
}

function isSeen(element) {
  if (element.closest('[aria-hidden=true], [inert]')) return false;
  const style = getComputedStyle(element);
  // What is folded away has its place all the same.
  return style.visibility !== 'hidden' && element.getClientRects().length > 0 && element.checkVisibility();
}

return [...(scope ?? document).querySelectorAll(SELECTORS[role] ?? `[role=${role}]`)]
  .filter(isSeen)
  .filter((element) => (part ? nameOf(element).includes(name) : nameOf(element) === name));
