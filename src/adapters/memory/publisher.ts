import type { WindowEvent } from '../../core/closing.ts';
import type { Publisher } from '../../ports/publisher.ts';

/** A publisher that keeps what it was given. */
export interface MemoryPublisher extends Publisher {
  /** Every event of every call, in their order. */
  readonly events: readonly WindowEvent[];
}

/** A publisher that nobody listens to. */
export function makeMemoryPublisher(): MemoryPublisher {
  const events: WindowEvent[] = [];
  return {
    events,
    publish: async (some) => {
      events.push(...some);
      return some.map(() => ({ status: 'written' }));
    },
  };
}
