import { createContext } from 'svelte';

import type { About } from '../backend/backend';
import type { Failure } from '../backend/bindings/Failure';

/** The engine behind the window. */
export class Engine {
  about = $state.raw<About | null>(null);
  /** It could not be reached at all. */
  failure = $state.raw<Failure | null>(null);
}

export const [getEngine, setEngine] = createContext<Engine>();
