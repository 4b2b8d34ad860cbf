import type { MemoryPublisher } from '../adapters/memory/publisher.ts';
import type { WindowEvent } from '../core/closing.ts';
import { TransientError } from '../core/errors.ts';
import type { Publisher } from '../ports/publisher.ts';
import type { SendOptions, WriteResult } from '../ports/table.ts';
import type { OutletPath } from './container-outlet.ts';
import { LATE_MS } from './faults.ts';

/** Events of one request: EventBridge's limit. */
const EVENTS_MAX = 10;

const STEP = 'publisher.publish';

/** The bus of closed windows as a container sees it: each event of a request has luck of its own. */
export function publisherThrough(publisher: MemoryPublisher, path: OutletPath): Publisher {
  return {
    publish: async (events, options) => {
      const results: WriteResult[] = [];
      while (results.length < events.length) {
        const some = events.slice(results.length, results.length + EVENTS_MAX);
        results.push(...(await request(publisher, path, { events: some, options })));
      }
      return results;
    },
  };
}

function request(
  publisher: MemoryPublisher,
  path: OutletPath,
  { events, options }: { readonly events: readonly WindowEvent[]; readonly options: SendOptions },
): Promise<readonly WriteResult[]> {
  return path.send<readonly WriteResult[]>(
    {
      step: STEP,
      size: events.length,
      service: 'publisher',
      encrypted: true,
      apply: () =>
        Promise.all(events.map((event) => one(path, () => publisher.publish([event], options)))),
      refused: (error) => events.map(() => ({ status: 'failed', error })),
    },
    options,
  );
}

async function one(
  { dice, clock }: OutletPath,
  put: () => Promise<readonly WriteResult[]>,
): Promise<WriteResult> {
  const luck = dice.oneOf(['refuse', 'loseAnswer', 'applyLate'], STEP);
  if (luck === 'refuse') return failed(luck);
  if (luck === 'applyLate') {
    clock.at(clock.now() + dice.upTo(LATE_MS), put);
    return failed(luck);
  }
  const [result = failed('no answer')] = await put();
  return luck === 'loseAnswer' ? failed(luck) : result;
}

function failed(why: string): WriteResult {
  return { status: 'failed', error: new TransientError(`${STEP}: simulated ${why}`) };
}
