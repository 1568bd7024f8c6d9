/** A line of the context menu. */
export interface MenuItem {
  id: string;
  name: string;
  keys?: string;
  disabled?: boolean;
  run: () => unknown;
}
