// The mark of Viễn Ảnh: a stack of slices.

export function Mark({ size }: { readonly size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 48 48" aria-hidden="true" focusable="false">
      <rect width="48" height="48" rx="11" fill="var(--va-mark-ground)" />
      <g fill="none" stroke="var(--va-mark-line)" strokeLinejoin="round" strokeLinecap="round" strokeWidth="2.6">
        <path d="M24 10 39 18 24 26 9 18Z" fill="var(--va-mark-line)" />
        <path d="M9 24.5 24 32.5 39 24.5" />
        <path d="M9 31 24 39 39 31" opacity=".6" />
      </g>
    </svg>
  );
}
