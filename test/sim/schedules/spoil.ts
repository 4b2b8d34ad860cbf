import type { ConsumePorts } from '../../../src/handlers/ports.ts';
import type { ConditionalWrite, Table } from '../../../src/ports/table.ts';
import type { Request } from './observe.ts';

/** How a request fails. */
export interface Spoiled {
  readonly error: Error;
  /** True: it is applied, and the answer is lost. */
  readonly applied: boolean;
  /** Of several inputs each of so many of those that it concerns fails, from the first on. */
  readonly every: number;
  /** Default: it concerns each. */
  readonly concerns?: (input: unknown) => boolean;
}

/** A request that is about to be sent. */
export type Asked = Pick<Request, 'operation' | 'input' | 'deadlineMs'>;

/** Puts failures between a handler and its ports: asked before each request. */
export function spoil(
  ports: ConsumePorts,
  ask: (request: Asked) => Spoiled | undefined,
): ConsumePorts {
  const one = async <Answer>(
    operation: string,
    { input, deadlineMs }: { readonly input?: unknown; readonly deadlineMs: number },
    call: () => Promise<Answer>,
  ) => {
    const spoiled = ask({ operation, input, deadlineMs });
    if (spoiled === undefined) return call();
    if (spoiled.applied) await call();
    throw spoiled.error;
  };
  const many = async <Input, Result extends object>(
    operation: string,
    { inputs, deadlineMs }: { readonly inputs: readonly Input[]; readonly deadlineMs: number },
    call: (inputs: readonly Input[]) => Promise<readonly Result[]>,
  ) => {
    const spoiled = ask({ operation, input: inputs, deadlineMs });
    if (spoiled === undefined) return call(inputs);
    const { error, applied, every, concerns = () => true } = spoiled;
    const failing = new Set(inputs.filter(concerns).filter((_, index) => index % every === 0));
    const results = [...(await call(inputs.filter((input) => applied || !failing.has(input))))];
    return inputs.map((input) => {
      const result = applied || !failing.has(input) ? results.shift() : undefined;
      const isLost = failing.has(input) || result === undefined;
      return isLost ? ({ status: 'failed', error } as const) : result;
    });
  };
  const table = (name: string, of: Table): Table => ({
    get: (keys, options) =>
      many(`${name}.get`, { inputs: keys, ...options }, (some) => of.get(some, options)),
    query: (query, options) =>
      one(`${name}.query`, { input: query, ...options }, () => of.query(query, options)),
    putIf: (writes, options) => {
      for (const { condition } of writes) checkCondition(condition);
      return many(`${name}.putIf`, { inputs: writes, ...options }, (some) =>
        of.putIf(some, options),
      );
    },
    putAll: (items, options) =>
      many(`${name}.putAll`, { inputs: items, ...options }, (some) => of.putAll(some, options)),
  });
  const { stream, quarantine } = ports;
  return {
    ...ports,
    stream: {
      ...stream,
      identify: (options) => one('stream.identify', options, () => stream.identify(options)),
    },
    ledger: table('ledger', ports.ledger),
    aggregates: table('aggregates', ports.aggregates),
    events: table('events', ports.events),
    quarantineIndex: table('index', ports.quarantineIndex),
    quarantine: {
      ...quarantine,
      put: (key, body, contentType, options) =>
        one('bucket.put', { input: { key, body }, ...options }, () =>
          quarantine.put(key, body, contentType, options),
        ),
    },
  };
}

/** No table knows others. */
function checkCondition(condition: ConditionalWrite['condition']): void {
  const isOne =
    condition.type === 'absent' ||
    (condition.type === 'equals' && condition.attribute !== '' && condition.value !== undefined);
  if (!isOne) throw new TypeError(`condition: got ${JSON.stringify(condition)}`);
}
