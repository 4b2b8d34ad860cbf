import type { ReplaySettings } from '../../src/core/contract.ts';
import { DefinitionError } from '../../src/core/errors.ts';

/** A generation that is to be rebuilt from the archive. */
export interface GenerationConfig {
  /** Of which pipeline. */
  readonly pipeline: string;
  /** 2 to 9,999; the first one is what the data stack holds. */
  readonly number: number;
  readonly replay: ReplaySettings;
}

/**
 * Reads `-c generation=2 -c replay='{"fromMs":0}'`; undefined where no generation is asked for.
 *
 * @throws DefinitionError naming what was got
 */
export function readGeneration(context: (name: string) => unknown): GenerationConfig | undefined {
  const given = context('generation');
  if (given === undefined) return undefined;
  const number = Number(given);
  if (!Number.isInteger(number) || number < 2 || number > 9_999) {
    throw new DefinitionError('-c generation', given, 'a whole number from 2 to 9999');
  }
  const pipeline = context('pipeline');
  if (typeof pipeline !== 'string') {
    throw new DefinitionError('-c pipeline', pipeline, 'the pipeline whose generation it is');
  }
  return { pipeline, number, replay: settingsOf(context('replay') ?? '{"fromMs":0}') };
}

function settingsOf(given: unknown): ReplaySettings {
  const value: unknown = typeof given === 'string' ? parsed(given) : given;
  const get = (name: string) =>
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  const [fromMs, toMs, key, filter] = ['fromMs', 'toMs', 'key', 'filter'].map(get);
  const isText = (text: unknown) => text === undefined || typeof text === 'string';
  const isTime = (time: unknown) => time === undefined || Number.isFinite(time);
  if (typeof fromMs !== 'number' || !isTime(toMs) || !isText(key) || !isText(filter)) {
    throw new DefinitionError(
      '-c replay',
      given,
      'JSON such as {"fromMs":0}, with toMs, key and filter if they are wanted; `millrace replay` makes it',
    );
  }
  return JSON.parse(JSON.stringify({ fromMs, toMs, key, filter }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
