/** The fields of live traffic that actions reach. */

export const trafficControls = { search: Symbol('search') };
