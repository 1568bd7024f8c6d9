import type { Notice } from '../backend/bindings/Notice';

export interface Shown extends Notice {
  id: number;
}

/** News goes by itself; what is wrong stays until it is dismissed. */
const NEWS_STAYS = 8_000;
/** More than these cover what one works with. */
const SHOWN = 3;
/** More than anybody reads. */
const KEPT = 100;

export class Notices {
  list = $state.raw<Shown[]>([]);
  /** Whether all of them are to be seen. */
  open = $state(false);
  #last = 0;

  /** The newest, but what is wrong before what is only news. */
  readonly shown = $derived.by(() => {
    if (this.open) return this.list;
    const few = new Set(this.list.filter(isWrong).slice(-SHOWN));
    const news = this.list.filter((notice) => !isWrong(notice)).reverse();
    news.slice(0, SHOWN - few.size).forEach((notice) => few.add(notice));
    return this.list.filter((notice) => few.has(notice));
  });

  add(notices: Notice[]): void {
    for (const notice of notices) {
      const again = this.list.find((shown) => shown.message === notice.message);
      if (again) this.dismiss(again.id);
      const shown = { ...notice, id: ++this.#last };
      this.list = [...this.list, shown];
      if (this.list.length > KEPT) this.dismiss((this.list.find((one) => !isWrong(one)) ?? this.list[0])?.id ?? 0);
      if (notice.level === 'info') setTimeout(() => this.dismiss(shown.id), NEWS_STAYS);
    }
  }

  dismiss(id: number): void {
    this.list = this.list.filter((shown) => shown.id !== id);
    if (this.list.length <= SHOWN) this.open = false;
  }

  dismissAll(): void {
    this.list = [];
    this.open = false;
  }
}

function isWrong({ level }: Notice): boolean {
  return level !== 'info';
}
