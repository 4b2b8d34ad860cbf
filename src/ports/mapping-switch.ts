import type { SendOptions } from './table.ts';

/** The switch of one event source mapping. */
export interface MappingSwitch {
  /** Switches it on; one that is on stays so. @throws TransientError, DeadlineError */
  enable(options: SendOptions): Promise<void>;
}
