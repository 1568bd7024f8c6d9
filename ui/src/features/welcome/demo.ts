/** Devices in the demo fleet. */
export const DEMO_DEVICES = 2_000;
