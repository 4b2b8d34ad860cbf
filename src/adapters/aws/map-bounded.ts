/** Maps with at most `limit` promises at once; results in the order of the inputs. */
export async function mapBounded<Input, Result>(
  inputs: readonly Input[],
  limit: number,
  run: (input: Input) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = inputs.entries();
  const lane = async () => {
    for (const [index, input] of queue) results[index] = await run(input);
  };
  await Promise.all(Array.from({ length: Math.min(limit, inputs.length) }, lane));
  return results;
}
