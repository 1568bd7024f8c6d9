/** The keyboard of a list. */

export interface ListKeys {
  /** The row that the keyboard is on, -1 where it is on none; and how many rows there are. */
  active: number;
  rows: number;
  /** How many rows are in view. */
  inView: number;
  move: (to: number) => void;
  /** The row that is unfolded, -1 where none is, in a list whose rows unfold. */
  open: number;
  toggle: ((row: number) => void) | undefined;
}

/** Moves as a list does, and unfolds and folds as a tree does (ARIA practices). Keys of other controls are left alone. */
export function listKeys(event: KeyboardEvent, { active, rows, inView, move, open, toggle }: ListKeys): void {
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
  const page = Math.max(1, inView - 1);
  const actions: Record<string, () => void> = {
    ArrowDown: () => move(active + 1),
    ArrowUp: () => move(active - 1),
    PageDown: () => move(active + page),
    PageUp: () => move(active - page),
    Home: () => move(0),
    End: () => move(rows - 1),
    ...(toggle && {
      ArrowRight: () => active !== open && toggle(active),
      ArrowLeft: () => active === open && toggle(active),
      Enter: () => toggle(active),
      ' ': () => toggle(active),
    }),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}
