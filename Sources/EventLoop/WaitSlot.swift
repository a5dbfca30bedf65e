/// A place to wait on a loop, one wait at a time. Make one per connection with ``EventLoop/makeSlot()`` and keep it as long
/// as the connection: waiting then allocates nothing. It returns to the loop when the last reference goes.
public final class WaitSlot: Sendable {
    let slot: Slot
    let table: SlotTable

    init(table: SlotTable) {
        self.table = table
        slot = table.allocate()
    }

    deinit { table.recycle(slot) }
}
