import type { Notice } from '../backend/bindings/Notice';

export interface Shown extends Notice {
  id: number;
}

/** News goes by itself; what is wrong stays until it is dismissed. */
const NEWS_STAYS = 8_000;
const AT_MOST = 4;

export class Notices {
  list = $state.raw<Shown[]>([]);
  #last = 0;

  add(notices: Notice[]): void {
    for (const notice of notices) {
      const again = this.list.find((shown) => shown.message === notice.message);
      if (again) this.dismiss(again.id);
      const shown = { ...notice, id: ++this.#last };
      this.list = [...this.list, shown].slice(-AT_MOST);
      if (notice.level === 'info') setTimeout(() => this.dismiss(shown.id), NEWS_STAYS);
    }
  }

  dismiss(id: number): void {
    this.list = this.list.filter((shown) => shown.id !== id);
  }
}
