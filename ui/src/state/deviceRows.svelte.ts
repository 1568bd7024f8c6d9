import type { Backend } from '../backend/backend';
import type { CommandView } from '../backend/bindings/CommandView';
import type { DeviceRow } from '../backend/bindings/DeviceRow';
import { keyOf, newer } from './feed';

/** The maximum number of rows; the most distant ones are dropped first. */
const KEPT = 1_500;

/** The rows of a connection's devices around the visible ones, loaded when they are first needed. */
export class DeviceRows {
  all = $state.raw<ReadonlyMap<string, DeviceRow>>(new Map());
  /** Rows that are current, or being loaded. */
  readonly #fresh = new Set<string>();
  /** Counts the questions: their answers may overtake each other. */
  #asked = 0;
  /** Which question each row answers. */
  readonly #answers = new Map<string, number>();

  constructor(readonly backend: Backend) {}

  clear(): void {
    this.all = new Map();
    this.#fresh.clear();
    this.#answers.clear();
  }

  /** These devices have changed, or all of them: their rows are loaded again when they are next needed. */
  outdate(devices?: readonly string[]): void {
    if (devices === undefined) this.#fresh.clear();
    else devices.forEach((device) => this.#fresh.delete(device));
  }

  /**
   * Loads the rows that are missing or outdated. `near`: the devices whose rows are wanted, or with `far` all around the
   * visible ones, whose rows are kept; both may change meanwhile. `isCurrent`: the connection is still the one shown. Rejects with a `Failure`; the rows are then loaded
   * again when they are next needed.
   */
  async load(connection: string, near: (far: boolean) => readonly string[], isCurrent: () => boolean): Promise<void> {
    const wanted = near(false).filter((id) => !this.#fresh.has(id));
    if (wanted.length === 0) return;
    wanted.forEach((id) => this.#fresh.add(id));
    const question = ++this.#asked;
    try {
      const found = await this.backend.deviceRows(connection, wanted);
      if (!isCurrent()) return;
      const rows = new Map(this.all);
      let changed = false;
      for (const row of found) {
        if ((this.#answers.get(row.device) ?? 0) > question) continue;
        this.#answers.set(row.device, question);
        const before = rows.get(row.device);
        const now = before?.last_command ? withCommand(row, before.last_command) : row;
        // A row that is the same stays the same object, so that nothing of it is drawn again.
        if (before !== undefined && JSON.stringify(before) === JSON.stringify(now)) continue;
        rows.set(row.device, now);
        changed = true;
      }
      if (rows.size > KEPT) this.#dropFar(rows, new Set(near(true)));
      if (changed) this.all = rows;
    } catch (reason) {
      wanted.forEach((id) => this.#fresh.delete(id));
      throw reason;
    }
  }

  /** Last commands are shown immediately; the rest of a row follows with the next load. */
  showCommands(commands: readonly CommandView[]): void {
    let rows: Map<string, DeviceRow> | null = null;
    for (const command of commands) {
      const row = (rows ?? this.all).get(command.device);
      if (!row) continue;
      rows ??= new Map(this.all);
      rows.set(command.device, withCommand(row, command));
    }
    if (rows) this.all = rows;
  }

  #dropFar(rows: Map<string, DeviceRow>, near: ReadonlySet<string>): void {
    for (const id of rows.keys()) {
      if (rows.size <= KEPT / 2) break;
      if (near.has(id)) continue;
      rows.delete(id);
      this.#fresh.delete(id);
      this.#answers.delete(id);
    }
  }
}

function withCommand(row: DeviceRow, command: CommandView): DeviceRow {
  const last = row.last_command;
  if (last && last.queued_at > command.queued_at) return row;
  const current = last && keyOf(last) === keyOf(command) ? newer(last, command) : command;
  return { ...row, last_command: current };
}
