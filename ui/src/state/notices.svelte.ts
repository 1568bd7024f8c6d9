import type { Notice } from '../backend/bindings/Notice';

/** What a notice offers to do. */
export interface NoticeAction {
  name: string;
  run: () => void;
}

/** A notice of the page's own. */
export type Said = Omit<Notice, 'connection'> & { action?: NoticeAction };

export interface Shown extends Notice {
  id: number;
  action?: NoticeAction;
  /** How many of its kind have come. */
  times: number;
  /** When the last of them came, Unix milliseconds. */
  at: number;
  /** It no longer lies over what one works with, and is found by the count. */
  resting: boolean;
}

/** News goes by itself; what is wrong stays until it is dismissed. */
const NEWS_STAYS = 8_000;
/** A warning rests once it could be read. An error does not rest by itself. */
const WARNING_STANDS = 12_000;
/** Somebody is at the notices: nothing is taken away under their hand. */
const A_MOMENT = 3_000;
/** What comes again after so long is news again. */
const FORGOTTEN = 60_000;
/** More than these cover what one works with. */
const SHOWN = 3;
/** More than anybody reads. */
const KEPT = 100;

export class Notices {
  list = $state.raw<Shown[]>([]);
  /** Whether all of them are to be seen. */
  open = $state(false);
  /** Somebody points at them, or has the keyboard in them. */
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

  /** What went wrong and was not dismissed. */
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
  say(said: Said): number {
    this.#begin({ connection: null, ...said });
    return this.#last;
  }

  dismiss(id: number): void {
    // What was pointed at may be the one that goes, and does not say that it is left.
    this.busy = false;
    this.list = this.list.filter((shown) => shown.id !== id);
    if (this.list.length === 0) this.open = false;
  }

  dismissAll(): void {
    this.busy = false;
    this.list = [];
    this.open = false;
  }

  /** Shows all of them, or none until something new comes. */
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

  /** Another of a kind stands in the place of the last one, and comes up only where that was long ago. */
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

function isWrong({ level }: Notice): boolean {
  return level !== 'info';
}

/**
 * What is the same but for where and how exactly: of a connection, what is said before the colon, with its hint. What is of
 * no connection is compared literally.
 */
function kindOf({ level, message, hint, connection }: Notice): string {
  const said = connection === null ? message : (message.split(/[:.](?= )/)[0] ?? message);
  return JSON.stringify([level, said, hint, connection]);
}
