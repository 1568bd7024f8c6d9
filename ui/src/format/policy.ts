/** A policy to paste, split so that the parts that depend on this connection are highlighted. */
export function policyPieces(policy: string): { text: string; particular: boolean }[] {
  return policy
    .split(/((?<=:(?:client|topicfilter|topic)\/)[^"\s]+)/)
    .map((text, i) => ({ text, particular: i % 2 === 1 }))
    .filter((piece) => piece.text !== '');
}
