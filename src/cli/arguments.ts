import { InvalidArgumentError } from 'commander';
import { CommandError, EXIT } from '../local/local-error.ts';

/** Parses a whole number of a range. */
export function integer(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= low && value <= high)
      return value;
    throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
  };
}

/** Parses a share of a hundred. */
export function percent(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError('Expected a number from 0 to 100.');
}

/** Reads numbers such as `0,3-7`, or `none`. @throws CommandError */
export function numbersIn(list: string): readonly number[] {
  if (list === 'none') return [];
  return list.split(',').flatMap((text) => {
    const [, low = '', high = low] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text.trim()) ?? [];
    const count = Number(high) - Number(low) + 1;
    if (low !== '' && count > 0) {
      return Array.from({ length: count }, (_, index) => Number(low) + index);
    }
    throw new CommandError('A list of numbers is not understood', {
      exitCode: EXIT.usage,
      detail: `got '${text}', expected numbers and ranges such as 0,3-7, or none`,
      next: 'npx millrace simulate --help',
    });
  });
}

/** Writes growing numbers as `numbersIn` reads them; nothing as ''. */
export function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([low, high]) => (low === high ? low : `${low}-${high}`)).join();
}
