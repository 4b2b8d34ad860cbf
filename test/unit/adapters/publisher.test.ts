import {
  EventBridgeClient,
  PutEventsCommand,
  type PutEventsCommandInput,
} from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import { makeAwsPublisher } from '../../../src/adapters/aws/publisher.ts';
import { makeSkippingClock } from '../../../src/adapters/memory/clock.ts';
import type { WindowEvent } from '../../../src/core/closing.ts';
import { DeadlineError, InvariantError, TransientError } from '../../../src/core/errors.ts';

type Answer = (input: PutEventsCommandInput) => object;

/** A publisher over a client whose answers are given, and that notes what it was asked. */
function publisherOver(answer: Answer) {
  const sent: PutEventsCommandInput[] = [];
  const client = new EventBridgeClient({ region: 'eu-west-1' });
  client.send = async (command: object) => {
    if (!(command instanceof PutEventsCommand)) throw new Error('asked for something else');
    sent.push(command.input);
    return answer(command.input);
  };
  const clock = makeSkippingClock(1_000);
  const publisher = makeAwsPublisher({ client, busName: 'bus', pipeline: 'flights', clock });
  return { sent, clock, publisher };
}

const takesAll: Answer = ({ Entries = [] }) => ({ Entries: Entries.map(() => ({ EventId: 'e' })) });
const soon = { deadlineMs: 10_000 };

function event(number: number, textLength = 0): WindowEvent {
  return {
    id: `id-${number}`,
    type: 'window.closed',
    window: 'hours',
    start: '2026-11-20T12:00:00.000Z',
    end: '2026-11-20T13:00:00.000Z',
    group: {},
    result: { text: 'é'.repeat(textLength) },
    revision: 1,
    replaces: 0,
  };
}

const events = (count: number, textLength?: number) =>
  Array.from({ length: count }, (_, index) => event(index, textLength));

describe('the publisher of EventBridge', () => {
  it('names bus, source and kind, and gives the event as the detail', async () => {
    const { publisher, sent } = publisherOver(takesAll);
    await publisher.publish([event(1)], soon);
    expect(sent).toEqual([
      {
        Entries: [
          {
            EventBusName: 'bus',
            Source: 'millrace.flights',
            DetailType: 'window.closed',
            Detail: JSON.stringify(event(1)),
          },
        ],
      },
    ]);
  });

  it('sends ten entries a request at most, and less than a megabyte', async () => {
    const { publisher, sent } = publisherOver(takesAll);
    await publisher.publish(events(25), soon);
    expect(sent.map(({ Entries }) => Entries?.length)).toEqual([10, 10, 5]);

    sent.length = 0;
    await publisher.publish(events(5, 150_000), soon);
    expect(sent.map(({ Entries }) => Entries?.length)).toEqual([3, 2]);
  });

  it('leaves the columns out of an event that fits no request', async () => {
    const { publisher, sent } = publisherOver(takesAll);
    const [result] = await publisher.publish([event(1, 600_000)], soon);
    expect(result).toEqual({ status: 'written' });
    const detail = JSON.parse(sent[0]?.Entries?.[0]?.Detail ?? '');
    expect(detail).toEqual({ ...event(1), result: null, omitted: true });
  });

  it('tells of each entry whether it was taken', async () => {
    const { publisher } = publisherOver(({ Entries = [] }) => ({
      FailedEntryCount: 1,
      Entries: Entries.map((_, index) =>
        index === 1 ? { ErrorCode: 'ThrottlingException' } : { EventId: 'e' },
      ),
    }));
    const results = await publisher.publish(events(12), soon);
    const failed = results.flatMap(({ status }, index) => (status === 'failed' ? [index] : []));
    expect(failed).toEqual([1, 11]);
    expect(results[1]).toMatchObject({ error: expect.any(TransientError) });
  });

  it('calls entries without an answer failed, and a request without one', async () => {
    const none = publisherOver(() => ({ Entries: [] }));
    expect(await none.publisher.publish([event(1)], soon)).toMatchObject([{ status: 'failed' }]);
    const broken = publisherOver(() => {
      throw new Error('socket hang up');
    });
    expect(await broken.publisher.publish(events(2), soon)).toMatchObject([
      { status: 'failed', error: expect.any(TransientError) },
      { status: 'failed', error: expect.any(TransientError) },
    ]);
  });

  it('throws what no later try mends', async () => {
    const refusal = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
    const { publisher } = publisherOver(() => {
      throw refusal;
    });
    await expect(publisher.publish([event(1)], soon)).rejects.toThrow(InvariantError);
  });

  it('sends nothing after its deadline', async () => {
    const { publisher, sent, clock } = publisherOver(takesAll);
    clock.advance(9_000);
    expect(await publisher.publish([event(1)], soon)).toMatchObject([
      { status: 'failed', error: expect.any(DeadlineError) },
    ]);
    expect(sent).toEqual([]);
  });
});
