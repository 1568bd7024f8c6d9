/** The items of the context menu in a text field. */

import type { MenuItem } from './menu';

export type TextField = HTMLInputElement | HTMLTextAreaElement;

/** Inputs that hold no text. */
const OTHERS = ['button', 'checkbox', 'color', 'file', 'image', 'radio', 'range', 'reset', 'submit'];

/** The text field that an event came from. */
export function textFieldOf(target: Element): TextField | null {
  const field = target.closest<TextField>('input, textarea');
  return field === null || OTHERS.includes(field.type) ? null : field;
}

/** Cut, copy, paste and select all. `oncannot` is called if the clipboard cannot be used. */
export function textItems(field: TextField, oncannot: (reading: boolean) => void): MenuItem[] {
  const [start, end] = [field.selectionStart ?? 0, field.selectionEnd ?? 0];
  const marked = field.value.slice(start, end);
  const writable = !field.readOnly && !field.disabled;
  // A password is not to be seen, and not to be copied.
  const readable = marked !== '' && field.type !== 'password';
  const copy = () => navigator.clipboard.writeText(marked);
  const cut = async () => {
    await copy();
    put(field, '', start, end);
  };
  const paste = async () => {
    field.focus({ preventScroll: true });
    // Where the web view may paste by itself, the field gets it as from the keyboard.
    if (edit('paste')) return;
    put(field, await navigator.clipboard.readText(), start, end);
  };
  const item = (id: string, name: string, keys: string, disabled: boolean, run: () => unknown): MenuItem => ({
    id: `text.${id}`,
    name,
    keys,
    disabled,
    run,
  });
  return [
    item('cut', 'Cut', 'mod+x', !writable || !readable, () => cut().catch(() => oncannot(false))),
    item('copy', 'Copy', 'mod+c', !readable, () => copy().catch(() => oncannot(false))),
    item('paste', 'Paste', 'mod+v', !writable || !canPaste(), () => paste().catch(() => oncannot(true))),
    item('all', 'Select all', 'mod+a', field.value === '', () => field.select()),
  ];
}

/** The web view gives the clipboard to the page, by one of its two ways. */
function canPaste(): boolean {
  const allowed = typeof document.queryCommandEnabled === 'function' && document.queryCommandEnabled('paste');
  return allowed || typeof navigator.clipboard?.readText === 'function';
}

/** Replaces a part of the text, so that the field notices it and can undo it where the web view permits that. */
function put(field: TextField, text: string, start: number, end: number): void {
  field.focus({ preventScroll: true });
  field.setSelectionRange(start, end);
  if (text === '' ? edit('delete') : edit('insertText', text)) return;
  field.setRangeText(text, start, end, 'end');
  field.dispatchEvent(
    new InputEvent('input', { bubbles: true, inputType: text === '' ? 'deleteByCut' : 'insertFromPaste' }),
  );
}

function edit(command: string, text?: string): boolean {
  return typeof document.execCommand === 'function' && document.execCommand(command, false, text);
}
