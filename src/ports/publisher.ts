import type { WindowEvent } from '../core/closing.ts';
import type { SendOptions, WriteResult } from './table.ts';

/** Tells the world about closed windows. */
export interface Publisher {
  /**
   * At least once: an event whose answer was lost is sent again with the same id. Any number of events; one
   * attempt, no retries inside. `conflict` never comes back.
   */
  publish(events: readonly WindowEvent[], options: SendOptions): Promise<readonly WriteResult[]>;
}
