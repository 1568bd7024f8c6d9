/** The keyboard of a list whose rows unfold. */

export interface TreeKeys {
  /** The row that the keyboard is on, and how many there are. */
  active: number;
  rows: number;
  /** The row that is unfolded; -1 where none is. */
  open: number;
  /** How many rows are in view. */
  inView: number;
  move: (to: number) => void;
  toggle: (row: number) => void;
}

/** Moves, unfolds and folds as a tree does (ARIA practices, tree view). Keys of other controls are left alone. */
export function treeKeys(event: KeyboardEvent, { active, rows, open, inView, move, toggle }: TreeKeys): void {
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
  const page = Math.max(1, inView - 1);
  const actions: Record<string, () => void> = {
    ArrowDown: () => move(active + 1),
    ArrowUp: () => move(active - 1),
    PageDown: () => move(active + page),
    PageUp: () => move(active - page),
    Home: () => move(0),
    End: () => move(rows - 1),
    ArrowRight: () => active !== open && toggle(active),
    ArrowLeft: () => active === open && toggle(active),
    Enter: () => toggle(active),
    ' ': () => toggle(active),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}
