/**
 * Runs an action for each input, at most `limit` at once, and waits for all of them, also when one
 * fails: what is still running when a function answers would go on in the next invocation.
 *
 * @throws the first error, after everything has ended
 */
export async function forEachBounded<Input>(
  inputs: Iterable<Input>,
  limit: number,
  action: (input: Input) => Promise<void>,
): Promise<void> {
  const queue = [...inputs];
  const errors: unknown[] = [];
  const lane = async () => {
    for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
      await action(input).catch((error: unknown) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, queue.length) }, lane));
  if (errors.length > 0) throw errors[0];
}
