import { derivedId } from '../core/derive.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';

/** An event for another pipeline, as a batch computation makes it. */
export interface BatchDerived {
  readonly output: string;
  /** Source and id: what a copy has too. */
  readonly name: string;
  readonly key: string;
  /** The event's data as JSON. */
  readonly data: string;
}

/**
 * The events that the rows of an accepted event give, or undefined where the user's functions throw or
 * give what can't be one.
 */
export function deriveAll(
  pipeline: AnyPipeline,
  name: string,
  rows: readonly unknown[],
): readonly BatchDerived[] | undefined {
  try {
    return Object.entries(pipeline.outputs).flatMap(([output, { where, key, event }]) =>
      rows.flatMap((row, index) => {
        if (where !== undefined && where(row as never) !== true) return [];
        const source = `urn:millrace:${pipeline.name}:${output}`;
        return [
          {
            output,
            name: `${source} ${derivedId(name, index)}`,
            key: textOf(
              typeof key === 'function' ? key(row as never) : Reflect.get(Object(row), key),
            ),
            data: JSON.stringify(objectOf(event(row as never))),
          },
        ];
      }),
    );
  } catch {
    return undefined;
  }
}

function textOf(key: unknown): string {
  if (typeof key === 'string' || Number.isFinite(key)) return String(key);
  throw new TypeError('no key');
}

function objectOf(data: unknown): object {
  if (typeof data === 'object' && data !== null) return data;
  throw new TypeError('no object');
}
