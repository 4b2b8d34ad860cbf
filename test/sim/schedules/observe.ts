import { type ConsumeResult, makeConsume } from '../../../src/handlers/consume.ts';
import type { KinesisBatch } from '../../../src/handlers/kinesis-batch.ts';
import type { ConsumePorts, Invocation } from '../../../src/handlers/ports.ts';
import type { SendOptions, Table } from '../../../src/ports/table.ts';
import type { SimOptions, SimResult } from '../../../src/sim/schedule.ts';
import { simulate } from '../../../src/sim/simulate.ts';

/** One request that a handler sent, as it saw it. */
export interface Request {
  /** Which container and which of its runs, from 0. */
  readonly container: number;
  readonly run: number;
  /** Such as `ledger.get`. */
  readonly operation: string;
  /** Keys, items, writes or a query. */
  readonly input: unknown;
  readonly deadlineMs: number;
  readonly sentMs: number;
  /** Undefined as long as no answer has come. */
  answeredMs: number | undefined;
  /** The answer, or what was thrown. */
  answer: unknown;
}

/** One run of the consumer. */
export interface Run {
  readonly container: number;
  readonly run: number;
  readonly batch: KinesisBatch;
  readonly invocation: Invocation;
  readonly startMs: number;
  endMs: number | undefined;
  result: ConsumeResult | undefined;
  error: unknown;
}

/** What was seen from within: every run and every request, in their order. */
export interface Observed {
  readonly result: SimResult;
  readonly runs: readonly Run[];
  readonly requests: readonly Request[];
}

/** Which container, and which of its runs it is in, from 0. */
export interface Where {
  readonly container: number;
  readonly run: number;
}

/**
 * Simulates, and notes what the handlers do.
 *
 * @param spoil puts something between a container's ports and the world; may ask where it is
 */
export async function observe(
  options: SimOptions,
  spoil: (ports: ConsumePorts, where: () => Where) => ConsumePorts = (ports) => ports,
): Promise<Observed> {
  const runs: Run[] = [];
  const requests: Request[] = [];
  let containers = 0;
  const makeHandler: SimOptions['makeHandler'] = (ports, program, consumeOptions) => {
    const container = containers;
    containers += 1;
    let count = 0;
    const where = () => ({ container, run: count - 1 });
    const seen = watched(spoil(ports, where), (sent) => {
      const { now } = ports.clock;
      const request: Request = {
        ...where(),
        ...sent,
        sentMs: now(),
        answeredMs: undefined,
        answer: undefined,
      };
      requests.push(request);
      return (answer) => {
        request.answer = answer;
        request.answeredMs = now();
      };
    });
    const consume = (options.makeHandler ?? makeConsume)(seen, program, consumeOptions);
    return async (batch, invocation) => {
      const startMs = ports.clock.now();
      count += 1;
      const run: Run = {
        ...where(),
        batch,
        invocation,
        startMs,
        endMs: undefined,
        result: undefined,
        error: undefined,
      };
      runs.push(run);
      try {
        run.result = await consume(batch, invocation);
        return run.result;
      } catch (error) {
        run.error = error;
        throw error;
      } finally {
        run.endMs = ports.clock.now();
      }
    };
  };
  return { result: await simulate({ ...options, makeHandler }), runs, requests };
}

/** The requests of one run. */
export function requestsOf({ requests }: Observed, { container, run }: Where): readonly Request[] {
  return requests.filter((one) => one.container === container && one.run === run);
}

/** What a request is for, such as `ledger.get e#`. */
export function nameOf({ operation, input }: Pick<Request, 'operation' | 'input'>): string {
  if (!/^ledger\.(get|put)/.test(operation)) return operation;
  const [first] = itemsOf(input);
  const { pk, sk = '' } = first ?? {};
  if (String(sk).startsWith('e#')) return `${operation} e#`;
  return pk === '1|registry' ? `${operation} registry` : `${operation} ${sk}`;
}

/** The writers, such as `t4x9k2-1f3a9c0d.p0`, that a request concerns; none where it concerns all. */
export function writersOf({
  operation,
  input,
}: Pick<Request, 'operation' | 'input'>): readonly string[] {
  if (operation === 'bucket.put') {
    return [String(Reflect.get(Object(input), 'key')).split('/')[3] ?? ''];
  }
  return itemsOf(input).map((item) => {
    if (operation.startsWith('events')) return String(item.w);
    if (operation.startsWith('aggregates')) return String(item.pk).split('|')[2] ?? '';
    if (item.pk === '1|registry') return String(item.sk);
    return String(item.pk).split('|').at(-1) ?? '';
  });
}

/** Keys, items, the items of writes, or a query, each by its attributes. */
export function itemsOf(input: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (typeof input !== 'object' || input === null) return [];
  const all: readonly unknown[] = Array.isArray(input) ? input : [input];
  return all.map((one) => Object(Reflect.get(Object(one), 'item') ?? one));
}

type Note = (sent: {
  readonly operation: string;
  readonly input: unknown;
  readonly deadlineMs: number;
}) => (answer: unknown) => void;

/** The ports, each of whose requests is noted with its answer. */
function watched(ports: ConsumePorts, note: Note): ConsumePorts {
  const send = async <Answer>(
    operation: string,
    input: unknown,
    { deadlineMs }: SendOptions,
    call: () => Promise<Answer>,
  ): Promise<Answer> => {
    const answered = note({ operation, input, deadlineMs });
    try {
      const answer = await call();
      answered(answer);
      return answer;
    } catch (error) {
      answered(error);
      throw error;
    }
  };
  const table = (name: string, of: Table): Table => ({
    get: (keys, options) => send(`${name}.get`, keys, options, () => of.get(keys, options)),
    query: (query, options) =>
      send(`${name}.query`, query, options, () => of.query(query, options)),
    putIf: (writes, options) =>
      send(`${name}.putIf`, writes, options, () => of.putIf(writes, options)),
    putAll: (items, options) =>
      send(`${name}.putAll`, items, options, () => of.putAll(items, options)),
  });
  const { stream, quarantine } = ports;
  return {
    ...ports,
    stream: {
      identify: (options) =>
        send('stream.identify', undefined, options, () => stream.identify(options)),
      parents: (shard, options) =>
        send('stream.parents', shard, options, () => stream.parents(shard, options)),
    },
    ledger: table('ledger', ports.ledger),
    aggregates: table('aggregates', ports.aggregates),
    events: table('events', ports.events),
    quarantineIndex: table('index', ports.quarantineIndex),
    quarantine: {
      ...quarantine,
      put: (key, body, contentType, options) =>
        send('bucket.put', { key, body, contentType }, options, () =>
          quarantine.put(key, body, contentType, options),
        ),
    },
  };
}
