const utf8 = new TextEncoder();

/** Whether a text takes more bytes in UTF-8; counted only where its length doesn't tell. */
export function isLongerThan(text: string, bytesMax: number): boolean {
  // A UTF-16 unit takes one byte at least, three at most.
  if (text.length * 3 <= bytesMax) return false;
  return text.length > bytesMax || utf8.encode(text).length > bytesMax;
}
