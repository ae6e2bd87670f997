// The mark of Viễn Ảnh: a slice seen from far away.

export function Mark({ size }: { readonly size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 48 48" aria-hidden="true" focusable="false">
      <rect width="48" height="48" rx="11" fill="var(--va-mark-ground)" />
      <ellipse cx="24" cy="24" rx="16" ry="12" fill="none" stroke="var(--va-mark-line)" strokeWidth="2.5" />
      <ellipse cx="17.5" cy="23" rx="4.2" ry="6" fill="var(--va-mark-line)" opacity="0.55" />
      <ellipse cx="30.5" cy="23" rx="4.2" ry="6" fill="var(--va-mark-line)" opacity="0.55" />
      <circle cx="24" cy="30" r="2.6" fill="var(--va-mark-line)" />
    </svg>
  );
}
