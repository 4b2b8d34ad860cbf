import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { ROOT } from '../../helpers/sources.ts';

/** All kinds of windows and columns that a pipeline can have. */
function kinds(): readonly string[] {
  let names: readonly string[] = [];
  definePipeline({
    name: 'kinds',
    schema: v.object({ at: v.number() }),
    key: 'at',
    time: 'at',
    windows: (tools) => {
      names = Object.keys(tools);
      return { all: tools.tumbling('1 day', { keep: { events: tools.count() } }) };
    },
  });
  return names;
}

it.each([
  ['test/e2e/local-run.test.ts', 'the local cloud'],
  ['test/sim/columns.test.ts', 'the simulation'],
])(
  '%s has every kind of window and column, so that each equals the batch computation in %s',
  (file) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    expect(kinds().length).toBeGreaterThan(15);
    expect(kinds().filter((name) => !new RegExp(`\\b${name}\\(`).test(text))).toEqual([]);
  },
);
