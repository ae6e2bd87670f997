// Text as it is looked for: lower case without accents, words parted by single blanks; Vietnamese đ is d. Pure.

export function folded(text: string): string {
  const plain = text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "");
  return plain
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
    .join(" ");
}
