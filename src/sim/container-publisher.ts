import type { MemoryPublisher } from '../adapters/memory/publisher.ts';
import type { WindowEvent } from '../core/closing.ts';
import type { Publisher } from '../ports/publisher.ts';
import type { SendOptions, WriteResult } from '../ports/table.ts';
import { type ItemPath, putWithLuck } from './item-luck.ts';

/** Events of one request: EventBridge's limit. */
const EVENTS_MAX = 10;

const STEP = 'publisher.publish';

/** The bus of closed windows as a container sees it: each event of a request has luck of its own. */
export function publisherThrough(publisher: MemoryPublisher, path: ItemPath): Publisher {
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
  path: ItemPath,
  { events, options }: { readonly events: readonly WindowEvent[]; readonly options: SendOptions },
): Promise<readonly WriteResult[]> {
  return path.send<readonly WriteResult[]>(
    {
      step: STEP,
      size: events.length,
      service: 'publisher',
      encrypted: true,
      apply: () =>
        Promise.all(
          events.map((event) => putWithLuck(path, STEP, () => publisher.publish([event], options))),
        ),
      refused: (error) => events.map(() => ({ status: 'failed', error })),
    },
    options,
  );
}
