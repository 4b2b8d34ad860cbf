import { setTimeout as delay } from 'node:timers/promises';
import type { MappingDriver } from './mapping-driver.ts';

/** What a stall is of. */
export interface StallOptions {
  readonly driver: Pick<MappingDriver, 'pause' | 'resume'>;
  /** How long the mapping stands still, seconds. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Told when it begins and ends. */
  readonly onChange: (text: string) => void;
}

/** Shares of a stall's length: events flow before it, and after it. */
const BEFORE = 0.25;
const AFTER = 0.5;

/** Lets events flow, stops the mapping for some time, and lets it go on: what a mapping that is switched off does. */
export async function stallMapping(options: StallOptions): Promise<void> {
  const { driver, seconds, signal, onChange } = options;
  await delay(BEFORE * seconds * 1000, undefined, { signal });
  driver.pause();
  onChange(`the mapping stops for ${seconds} s (--stall)`);
  try {
    await delay(seconds * 1000, undefined, { signal });
  } finally {
    driver.resume();
  }
  onChange('the mapping goes on');
}

/** Events a second so that they last until after the stall. */
export function stallRate(events: number, seconds: number): number {
  return Math.max(1, Math.round(events / (seconds * (BEFORE + 1 + AFTER))));
}
