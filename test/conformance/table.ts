import { beforeEach, describe, expect, it } from 'vitest';
import type { ConditionalWrite, Item, Table } from '../../src/ports/table.ts';

/** What every table has to do. `make` gives an empty one, or one whose items of other tests don't meet. */
export function tableSuite(name: string, make: () => Promise<Table>): void {
  describe(`${name} as a table`, () => {
    let table: Table;
    let pk: string;
    const soon = () => ({ deadlineMs: Date.now() + 20_000 });
    const item = (
      sk: string,
      attributes: Record<string, string | number | Uint8Array> = {},
    ): Item => ({
      pk,
      sk,
      ...attributes,
    });
    const insert = (sk: string, attributes = {}): ConditionalWrite => ({
      item: item(sk, attributes),
      condition: { type: 'absent' },
    });

    beforeEach(async () => {
      table = await make();
      pk = `pk-${crypto.randomUUID()}`;
    });

    it('reads what was written, of each kind of attribute, and nothing where there is nothing', async () => {
      const stored = item('a', { text: 'é\u0000x', number: -0.1, bytes: new Uint8Array([0, 255]) });
      await table.putAll([stored], soon());

      const results = await table.get(
        [
          { pk, sk: 'a' },
          { pk, sk: 'b' },
        ],
        soon(),
      );

      expect(results).toEqual([
        { status: 'read', item: stored },
        { status: 'read', item: undefined },
      ]);
    });

    it.each([0, 1, Number.MAX_SAFE_INTEGER, 5e-130, 1.2345678901234567, -9.9e124])(
      'keeps the number %d bit for bit',
      async (number) => {
        await table.putAll([item('a', { number })], soon());
        const [result] = await table.get([{ pk, sk: 'a' }], soon());
        expect(result).toMatchObject({ item: { number } });
      },
    );

    it('inserts an item once', async () => {
      const [first] = await table.putIf([insert('a', { p: '1' })], soon());
      const [second] = await table.putIf([insert('a', { p: '2' })], soon());

      expect(first?.status).toBe('written');
      expect(second?.status).toBe('conflict');
      expect(await table.get([{ pk, sk: 'a' }], soon())).toMatchObject([{ item: { p: '1' } }]);
    });

    it('replaces an item only while its attribute has the expected value, and tells what it found', async () => {
      await table.putIf([insert('a', { p: '1', s: 'x' })], soon());
      const write = (value: string): ConditionalWrite => ({
        item: item('a', { p: '2', s: 'y' }),
        condition: { type: 'equals', attribute: 'p', value },
      });

      const [wrong] = await table.putIf([write('0')], soon());
      const [right] = await table.putIf([write('1')], soon());

      expect(wrong?.status).toBe('conflict');
      if (wrong?.status === 'conflict' && wrong.current !== undefined) {
        expect(wrong.current).toEqual(item('a', { p: '1', s: 'x' }));
      }
      expect(right?.status).toBe('written');
      expect(await table.get([{ pk, sk: 'a' }], soon())).toMatchObject([{ item: { s: 'y' } }]);
    });

    it('lets a condition on an absent item fail', async () => {
      const condition = { type: 'equals', attribute: 'p', value: '1' } as const;
      const [result] = await table.putIf([{ item: item('a', { p: '2' }), condition }], soon());
      expect(result?.status).toBe('conflict');
      expect(await table.get([{ pk, sk: 'a' }], soon())).toEqual([
        { status: 'read', item: undefined },
      ]);
    });

    it('answers many writes and reads in their order, each on its own', async () => {
      await table.putIf([insert('s030')], soon());
      const keys = Array.from({ length: 60 }, (_, index) => `s${String(index).padStart(3, '0')}`);

      const written = await table.putIf(
        keys.map((sk) => insert(sk)),
        soon(),
      );
      const read = await table.get(
        [...keys].reverse().map((sk) => ({ pk, sk })),
        soon(),
      );

      expect(written.map(({ status }) => status)).toEqual(
        keys.map((sk) => (sk === 's030' ? 'conflict' : 'written')),
      );
      expect(read.map((one) => one.status === 'read' && one.item?.sk)).toEqual([...keys].reverse());
    });

    it('pages through a partition in the order of bytes, both ways', async () => {
      const keys = ['B', 'a', 'a#1', 'a#2', 'é'];
      await table.putAll(
        [...keys].reverse().map((sk) => item(sk)),
        soon(),
      );
      const all = async (descending: boolean) => {
        const found: string[] = [];
        let after: string | undefined;
        do {
          const query = { pk, descending, limit: 2, ...(after === undefined ? {} : { after }) };
          const page = await table.query(query, soon());
          found.push(...page.items.map(({ sk }) => sk));
          after = page.next;
        } while (after !== undefined);
        return found;
      };

      expect(await all(false)).toEqual(keys);
      expect(await all(true)).toEqual([...keys].reverse());
      const prefixed = await table.query({ pk, prefix: 'a#' }, soon());
      expect(prefixed.items.map(({ sk }) => sk)).toEqual(['a#1', 'a#2']);
      const rest = await table.query({ pk, prefix: 'a#', after: 'a#1' }, soon());
      expect(rest.items.map(({ sk }) => sk)).toEqual(['a#2']);
      const back = await table.query({ pk, prefix: 'a#', after: 'a#2', descending: true }, soon());
      expect(back.items.map(({ sk }) => sk)).toEqual(['a#1']);
    });

    it('replaces without a condition, and changes nothing when it is done twice', async () => {
      await table.putAll([item('a', { x: 1 })], soon());
      await table.putAll([item('a', { y: 2 })], soon());
      await table.putAll([item('a', { y: 2 })], soon());
      expect(await table.get([{ pk, sk: 'a' }], soon())).toEqual([
        { status: 'read', item: item('a', { y: 2 }) },
      ]);
    });

    it('refuses the same key twice in one call', async () => {
      const twice = [
        { pk, sk: 'a' },
        { pk, sk: 'a' },
      ];
      await expect((async () => table.get(twice, soon()))()).rejects.toThrow('expected each once');
    });
  });
}
