export function CurrentAgent({ name }: { name: string }) {
  return (
    <div className="agent" role="status">
      <strong>Current Agent: </strong>
      {name}
    </div>
  );
}
