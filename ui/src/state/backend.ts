import { createContext } from 'svelte';

import type { Backend } from '../backend/backend';

export type { Backend };

/** For calls whose results belong to one screen. */
export const [getBackend, setBackend] = createContext<Backend>();
