/** The screen that is shown. It is part of the address, so that links work. */

import { createContext } from 'svelte';

export type Screen =
  | 'fleet'
  | 'rollouts'
  | 'log'
  | 'charts'
  | 'history'
  | 'traffic'
  | 'connections'
  | 'commands'
  | 'audit'
  | 'evidence'
  | 'approval'
  | 'settings';

const SCREENS: Screen[] = [
  'fleet',
  'rollouts',
  'log',
  'charts',
  'history',
  'traffic',
  'connections',
  'commands',
  'audit',
  'evidence',
  'approval',
  'settings',
];

export class Route {
  screen = $state<Screen>('fleet');
  parameters = $state.raw(new URLSearchParams());

  constructor() {
    this.read();
    window.addEventListener('hashchange', () => this.read());
  }

  go(screen: Screen, parameters: Record<string, string> = {}): void {
    window.location.hash = address(screen, parameters);
    this.read();
  }

  read(): void {
    const [path = '', query = ''] = window.location.hash.replace(/^#\/?/, '').split('?', 2);
    this.screen = SCREENS.find((screen) => screen === path) ?? 'fleet';
    this.parameters = new URLSearchParams(query);
  }
}

export const [getRoute, setRoute] = createContext<Route>();

/** The address of a screen: `#/history?device=kitchen-0417`. */
export function address(screen: Screen, parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams(parameters).toString();
  return `#/${screen}${query === '' ? '' : `?${query}`}`;
}
