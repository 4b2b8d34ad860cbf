import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import { codePrintOf } from '../../../src/project/code-print.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { ROOT } from '../../helpers/sources.ts';

/** Within the checkout, so that packages are found. */
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(path.join(ROOT, '.millrace', 'print-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function printOf(text: string): string {
  const file = path.join(directory, 'pipeline.ts');
  writeFileSync(file, text);
  return codePrintOf(file);
}

const TEXT = `import * as v from 'valibot';
import { definePipeline } from '#millrace';
import { limit } from './limit.ts';
const isLarge = (amount: number) => amount > limit;
export default definePipeline({
  name: 'p', schema: v.object({ a: v.number(), at: v.number() }), key: 'a', time: 'at',
  windows: ({ tumbling, count }) => ({ w: tumbling('1 hour', { keep: { n: count((e) => isLarge(e.a)) } }) }),
});`;

const limit = (value: number) => {
  writeFileSync(path.join(directory, 'limit.ts'), `export const limit = ${value};`);
};

describe('the print of a pipeline’s code', () => {
  it('is the same for comments, formatting and names of variables', () => {
    limit(5);
    const print = printOf(TEXT);
    const other = TEXT.replaceAll('isLarge', 'isBig').replace('name:', '\n  // Why.\n  name:');
    expect(printOf(other)).toBe(print);
    expect(print).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each([
    ['a function that nothing of the definition shows', TEXT.replace('amount >', 'amount >=')],
    ['the schema', TEXT.replace('a: v.number()', 'a: v.pipe(v.number(), v.minValue(0))')],
    ['a window', TEXT.replace("'1 hour'", "'2 hours'")],
  ])('changes with %s', (_what, text) => {
    limit(5);
    expect(printOf(text)).not.toBe(printOf(TEXT));
  });

  it('changes with a value in a file that it imports', () => {
    limit(5);
    const print = printOf(TEXT);
    limit(6);
    expect(printOf(TEXT)).not.toBe(print);
  });

  it('does not depend on where the checkout is', () => {
    const folder = path.join(ROOT, 'pipelines', 'earthquakes');
    cpSync(folder, path.join(directory, 'deeper', 'quakes'), { recursive: true });
    const copy = path.join(directory, 'deeper', 'quakes', 'pipeline.ts');
    expect(codePrintOf(copy)).toBe(codePrintOf(path.join(folder, 'pipeline.ts')));
  });

  it('is what the program’s fingerprint is made of', () => {
    const prints = ['1', '2', '2'].map(
      (one) => compile(smallPipeline, new Map(), { codePrint: one }).fingerprint,
    );
    expect(new Set(prints).size).toBe(2);
  });
});
