import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import type { WindowEvent } from '../../core/closing.ts';
import { eventSource } from '../../core/contract.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Publisher } from '../../ports/publisher.ts';
import type { WriteResult } from '../../ports/table.ts';
import { mapBounded } from './map-bounded.ts';
import { classify, type SendContext, settled } from './send.ts';

/** What a bus is reached with. */
export interface AwsPublisherOptions {
  readonly client: EventBridgeClient;
  /** Name or ARN of the event bus. */
  readonly busName: string;
  /** Names the source of the events. */
  readonly pipeline: string;
  readonly clock: Clock;
}

/** Limits of one PutEvents request (EventBridge API reference, "PutEvents": 10 entries, less than 1 MB). */
const ENTRIES_MAX = 10;
const BYTES_MAX = 1_000_000;

const CONCURRENCY = 8;

const utf8 = new TextEncoder();

interface SizedEntry {
  readonly index: number;
  readonly entry: PutEventsRequestEntry;
  readonly bytes: number;
}

/**
 * An EventBridge bus. The detail of an event is the WindowEvent, its source `millrace.PIPELINE`, its
 * detail-type the kind of change. EventBridge gives events ids of its own: `detail.id` is what stays the
 * same in every try.
 *
 * An event that is too big for a request goes without its columns, with `omitted: true`: it must not hold up
 * the windows after it, and who gets it can read them where they are kept.
 */
export function makeAwsPublisher(options: AwsPublisherOptions): Publisher {
  return {
    publish: async (events, { deadlineMs }) => {
      const context = { clock: options.clock, deadlineMs };
      const results: WriteResult[] = [];
      const entries = events.map((event, index) => entryOf(event, index, options));
      await mapBounded(requestsOf(entries), CONCURRENCY, async (request) => {
        const answers = await putEvents(options, request, context);
        for (const [at, { index }] of request.entries()) results[index] = answers[at] ?? NO_ANSWER;
      });
      return results;
    },
  };
}

const NO_ANSWER: WriteResult = {
  status: 'failed',
  error: classify('PutEvents', 'no answer for an entry'),
};

function entryOf(
  event: WindowEvent,
  index: number,
  { busName, pipeline }: AwsPublisherOptions,
): SizedEntry {
  const common = { EventBusName: busName, Source: eventSource(pipeline), DetailType: event.type };
  const whole = { ...common, Detail: JSON.stringify(event) };
  if (bytesOf(whole) < BYTES_MAX) return { index, entry: whole, bytes: bytesOf(whole) };
  const short = { ...common, Detail: JSON.stringify({ ...event, result: null, omitted: true }) };
  return { index, entry: short, bytes: bytesOf(short) };
}

/** As EventBridge counts ("Calculating Amazon EventBridge PutEvents event entry size"). */
function bytesOf({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry): number {
  return [Source, DetailType, Detail].reduce((sum, text) => sum + utf8.encode(text).length, 0);
}

function requestsOf(entries: readonly SizedEntry[]): readonly (readonly SizedEntry[])[] {
  const requests: SizedEntry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const last = requests.at(-1);
    if (last === undefined || last.length === ENTRIES_MAX || bytes + entry.bytes >= BYTES_MAX) {
      requests.push([entry]);
      bytes = entry.bytes;
    } else {
      last.push(entry);
      bytes += entry.bytes;
    }
  }
  return requests;
}

/** One attempt: an entry that was not taken says so, and its neighbours are not sent again. */
async function putEvents(
  { client, busName }: AwsPublisherOptions,
  request: readonly SizedEntry[],
  context: SendContext,
): Promise<readonly WriteResult[]> {
  const operation = `PutEvents ${busName}`;
  const command = new PutEventsCommand({ Entries: request.map(({ entry }) => entry) });
  const answer = await settled(operation, context, (send) => client.send(command, send));
  if (answer instanceof Error) return request.map(() => ({ status: 'failed', error: answer }));
  return (answer.Entries ?? []).map(({ ErrorCode }) =>
    ErrorCode === undefined
      ? { status: 'written' }
      : { status: 'failed', error: classify(operation, ErrorCode) },
  );
}
