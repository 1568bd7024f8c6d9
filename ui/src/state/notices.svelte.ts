import { createContext } from 'svelte';

import type { Notice } from '../backend/bindings/Notice';
import { failureOf } from './failure';

/** An action of a notice. */
export interface NoticeAction {
  name: string;
  run: () => void;
}

/** A notice of the page's own. */
export type NewNotice = Omit<Notice, 'connection'> & { action?: NoticeAction };

export interface Shown extends Notice {
  id: number;
  action?: NoticeAction;
  /** The number of notices of its kind. */
  times: number;
  /** When the last of them came, Unix milliseconds. */
  at: number;
  /** It no longer lies over what one works with, and is found by the count. */
  resting: boolean;
}

/** News disappears after a time; warnings and errors stay until they are dismissed. */
const NEWS_STAYS = 8_000;
/** A warning moves to the status bar after a time. An error does not. */
const WARNING_STANDS = 12_000;
/** The user points at the notices, so none is removed. */
const A_MOMENT = 3_000;
/** A repeated notice is shown again after this time. */
const FORGOTTEN = 60_000;
/** More than these cover what one works with. */
const SHOWN = 3;
/** More than anybody reads. */
const KEPT = 100;

export class Notices {
  list = $state.raw<Shown[]>([]);
  /** Whether all of them are to be seen. */
  open = $state(false);
  /** The pointer or the focus is on them. */
  busy = false;
  #last = 0;

  /** The newest that do not rest, but what is wrong before what is only news. */
  readonly shown = $derived.by(() => {
    if (this.open) return this.list;
    const up = this.list.filter(({ resting }) => !resting);
    const few = new Set(up.filter(isWrong).slice(-SHOWN));
    const news = up.filter((notice) => !isWrong(notice)).reverse();
    news.slice(0, SHOWN - few.size).forEach((notice) => few.add(notice));
    return up.filter((notice) => few.has(notice));
  });

  /** Warnings and errors that were not dismissed. */
  readonly wrong = $derived(this.list.filter(isWrong));

  add(notices: Omit<Notice, 'connection'>[] | Notice[]): void {
    for (const told of notices) {
      const notice: Notice = { connection: null, ...told };
      const again = this.list.find((shown) => kindOf(shown) === kindOf(notice));
      if (again && isWrong(notice)) this.#gather(again, notice);
      else {
        if (again) this.dismiss(again.id);
        this.#begin(notice);
      }
    }
  }

  /** Says something of the page's own, and by which number it is dismissed. */
  say(said: NewNotice): number {
    this.#begin({ connection: null, ...said });
    return this.#last;
  }

  /** Says what went wrong where no control is there to say it. */
  reportError(reason: unknown): void {
    const { message, hint } = failureOf(reason);
    this.add([{ level: 'warning', message, hint }]);
  }

  dismiss(id: number): void {
    // The removed notice may be under the pointer, and sends no leave event.
    this.busy = false;
    this.list = this.list.filter((shown) => shown.id !== id);
    if (this.list.length === 0) this.open = false;
  }

  dismissAll(): void {
    this.busy = false;
    this.list = [];
    this.open = false;
  }

  /** Shows all of them, or none until a new one arrives. */
  toggle(): void {
    if (this.shown.length === 0) {
      this.open = true;
      return;
    }
    this.open = false;
    this.list = this.list.map((shown) => ({ ...shown, resting: true }));
  }

  /** Removes the notices of connections that no longer exist. */
  keepOf(connections: { id: string }[]): void {
    const there = new Set(connections.map(({ id }) => id));
    const kept = this.list.filter(({ connection }) => connection === null || there.has(connection));
    if (kept.length === this.list.length) return;
    this.list = kept;
    if (kept.length === 0) this.open = false;
  }

  #begin(notice: Notice & { action?: NoticeAction }): void {
    const shown = { ...notice, id: ++this.#last, times: 1, at: Date.now(), resting: false };
    this.list = [...this.list, shown];
    if (this.list.length > KEPT) this.dismiss((this.list.find((one) => !isWrong(one)) ?? this.list[0])?.id ?? 0);
    this.#stand(shown);
  }

  /** A notice replaces the last one of its kind, and is shown only if that was long ago. */
  #gather(before: Shown, notice: Notice): void {
    const at = Date.now();
    const comes = before.resting && at - before.at >= FORGOTTEN;
    const shown = { ...before, ...notice, times: before.times + 1, at, resting: before.resting && !comes };
    this.list = this.list.map((one) => (one.id === before.id ? shown : one));
    if (comes) this.#stand(shown);
  }

  #stand({ id, level }: Shown): void {
    if (level === 'info') setTimeout(() => this.#whenFree(() => this.dismiss(id)), NEWS_STAYS);
    if (level === 'warning') setTimeout(() => this.#whenFree(() => this.#rest(id)), WARNING_STANDS);
  }

  #whenFree(run: () => void): void {
    if (this.busy) setTimeout(() => this.#whenFree(run), A_MOMENT);
    else run();
  }

  #rest(id: number): void {
    this.list = this.list.map((one) => (one.id === id ? { ...one, resting: true } : one));
  }
}

export const [getNotices, setNotices] = createContext<Notices>();

function isWrong({ level }: Notice): boolean {
  return level !== 'info';
}

/**
 * The kind of a notice: for a connection, the text before the colon, with its hint. What is of
 * no connection is compared literally.
 */
function kindOf({ level, message, hint, connection }: Notice): string {
  const said = connection === null ? message : (message.split(/[:.](?= )/)[0] ?? message);
  return JSON.stringify([level, said, hint, connection]);
}
