import { describe, expect, it } from 'vitest';
import { acknowledged } from '../../../src/mapping/response.ts';
import { mappingRecords } from '../../helpers/mapping.ts';

const batch = { records: mappingRecords(10), attempts: 0 };
const failures = (...items: unknown[]) => ({ batchItemFailures: items });

describe('acknowledged', () => {
  it.each([
    ['no answer', null],
    ['an empty text', ''],
    ['an empty object', {}],
    ['an empty list', failures()],
    ['a missing list', { batchItemFailures: null }],
  ])('takes %s as success of all', (_name, answer) => {
    expect(acknowledged(batch, answer)).toBe(10);
  });

  it.each([
    ['an empty identifier', failures({ itemIdentifier: '' })],
    ['a missing identifier', failures({ itemIdentifier: null })],
    ['another name', failures({ id: '3' })],
    ['a bad one among good ones', failures({ itemIdentifier: '3' }, {})],
    ['a record that is not of the batch', failures({ itemIdentifier: '77' })],
    ['a list that is none', { batchItemFailures: 'all' }],
    ['a text', 'done'],
    ['a list', []],
  ])('takes %s as failure of all', (_name, answer) => {
    expect(acknowledged(batch, answer)).toBe(0);
  });

  it('goes up to the lowest failed record, compared as numbers', () => {
    expect(acknowledged(batch, failures({ itemIdentifier: '10' }, { itemIdentifier: '9' }))).toBe(
      8,
    );
  });
});
