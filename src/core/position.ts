import { InvariantError, show } from './errors.ts';

/**
 * Where a record stands in its writer. Sequence numbers compare only within a shard; shard numbers
 * grow with every split and merge, and a parent is read to its end before its children, so the
 * triple grows along a writer's life.
 */
export interface Position {
  /** The number in `shardId-000000000006`: 6. */
  readonly shard: number;
  /** Kinesis' sequence number: decimal digits without leading zeros, beyond 2^53. */
  readonly sequence: string;
  /** Index within an aggregated record, 0 otherwise. */
  readonly index: number;
}

/** Negative when left comes first, 0 when equal, positive when right comes first. */
export function comparePositions(left: Position, right: Position): number {
  if (left.shard !== right.shard) return left.shard - right.shard;
  return compareSequences(left.sequence, right.sequence) || left.index - right.index;
}

/** Orders sequence numbers of one shard without making big integers of them. */
export function compareSequences(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** True when the position is after the head; everything is after no head. */
export function isAfter(position: Position, head: Position | undefined): boolean {
  return head === undefined || comparePositions(position, head) > 0;
}

/** Such as `6:49590338271490256608559692538361571095921575989136588898:0`. */
export function encodePosition(position: Position): string {
  return `${position.shard}:${position.sequence}:${position.index}`;
}

/** @throws InvariantError when the text is not one that `encodePosition` wrote */
export function decodePosition(text: string): Position {
  const match = /^(\d{1,12}):(0|[1-9]\d{0,127}):(\d{1,9})$/.exec(text);
  if (match === null) {
    throw new InvariantError(`position: got ${show(text)}, expected shard:sequence:index`);
  }
  const [, shard = '', sequence = '', index = ''] = match;
  return { shard: Number(shard), sequence, index: Number(index) };
}

/** A position in fewer characters, such as `6.4kx…`: sequence in base 36, an index of 0 left out. */
export function packPosition({ shard, sequence, index }: Position): string {
  const packed = `${shard}.${BigInt(sequence).toString(36)}`;
  return index === 0 ? packed : `${packed}.${index}`;
}

/** @throws InvariantError when the text is not one that `packPosition` wrote */
export function unpackPosition(text: string): Position {
  const match = /^(\d{1,12})\.([0-9a-z]{1,90})(?:\.([1-9]\d{0,8}))?$/.exec(text);
  if (match === null) {
    throw new InvariantError(`position: got ${show(text)}, expected shard.sequence`);
  }
  const [, shard = '', sequence = '', index = '0'] = match;
  return { shard: Number(shard), sequence: decimalOf(sequence), index: Number(index) };
}

function decimalOf(base36: string): string {
  let value = 0n;
  for (const digit of base36) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  return value.toString();
}

/** A position as a text whose byte order is the order of the positions, for a sort key. */
export function sortablePosition(position: Position): string {
  const shard = String(position.shard).padStart(12, '0');
  const sequence = position.sequence.padStart(128, '0');
  return `${shard}:${sequence}:${String(position.index).padStart(9, '0')}`;
}

/** The shard's number from an id such as `shardId-000000000006`. @throws InvariantError */
export function shardNumber(shardId: string): number {
  const match = /^shardId-(\d{12})$/.exec(shardId);
  if (match === null) {
    throw new InvariantError(`shard id: got ${show(shardId)}, expected shardId- and 12 digits`);
  }
  return Number(match[1]);
}

/** Kinesis writes none, emulators do: positions compare by length first. */
export function withoutLeadingZeros(digits: string): string {
  return digits.startsWith('0') ? digits.replace(/^0+(?=\d)/, '') : digits;
}

/** The id of a shard's number, such as `shardId-000000000006`. */
export function shardId(shard: number): string {
  return `shardId-${String(shard).padStart(12, '0')}`;
}
