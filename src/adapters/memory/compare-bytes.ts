/** Orders texts by their UTF-8 bytes, as the services do; JavaScript's own order differs beyond the BMP. */
export function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
