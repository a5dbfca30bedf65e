import ConnectionPool
import RigModel
import Threading

/// A shop's load: 55 % look at a product, 25 % at a category, 8 % at a customer, 10 % place an order, 2 % change a price.
///
/// Prices may be five seconds old, so what shows them is answered from the results cache and dropped from it when a price
/// changes. The stock is taken down through the batcher, by product in ascending order, so that orders that share products
/// do not deadlock.
struct OrderEntry<D: Driver>: BenchOperation {
    let pool: Pool<D>
    let cache: ResultCache
    let batcher: Batcher<D, Int>
    let products = Zipf(count: OrderEntrySQL.products)
    let customers = Zipf(count: OrderEntrySQL.customers)
    /// How long a write waited for its batch to be committed.
    let commits = CommitTimes()

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        switch keys.next() % 100 {
        case 0..<55: try await lookAtProduct(products.number(keys.unit()))
        case 55..<80: try await lookAtCategory(products.number(keys.unit()) % OrderEntrySQL.categories)
        case 80..<88: try await lookAtCustomer(customers.number(keys.unit()))
        case 88..<98:
            var chosen: Set<Int> = []
            while chosen.count < 3 { chosen.insert(products.number(keys.unit())) }
            try await placeOrder(customers.number(keys.unit()), chosen.sorted())
        default: try await changePrice(products.number(keys.unit()))
        }
        return 0
    }

    private func lookAtProduct(_ id: Int) async throws {
        let statement = OrderEntrySQL.product(id)
        let result = try await pool.cachedRead(
            statement, in: cache, timeToLive: .seconds(5), tags: ["product-\(id)"])
        try result.check(columns: 2, statement)
    }

    private func lookAtCategory(_ number: Int) async throws {
        let result = try await pool.cachedRead(
            OrderEntrySQL.category(number), in: cache, timeToLive: .seconds(5), tags: ["category-\(number)"])
        guard result.rows.count == 20 else {
            throw WrongAnswer(description: "category \(number) has \(result.rows.count) products, expected 20")
        }
    }

    private func lookAtCustomer(_ id: Int) async throws {
        let statement = OrderEntrySQL.customer(id)
        let result = try await pool.withConnection { try await $0.execute(statement) }
        try result.check(columns: 2, statement)
    }

    private func placeOrder(_ customer: Int, _ chosen: [Int]) async throws {
        try await pool.withTransaction { lease in
            let inserted = try await lease.execute(OrderEntrySQL.order(customer: customer))
            guard let id = inserted.rows.first?.first?.intValue else {
                throw WrongAnswer(description: "an order was inserted, but the server returned no number")
            }
            for product in chosen { _ = try await lease.execute(OrderEntrySQL.line(order: id, product: product)) }
        }
        let start = MonotonicInstant.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for product in chosen {
                group.addTask {
                    let statement = OrderEntrySQL.takeFromStock(product)
                    try await batcher.submit(statement, key: product).check(statement)
                }
            }
            try await group.waitForAll()
        }
        commits.add(start.duration(to: .now))
    }

    private func changePrice(_ id: Int) async throws {
        let statement = OrderEntrySQL.changePrice(id)
        try await batcher.submit(statement, key: id).check(statement)
        cache.invalidate("product-\(id)", "category-\(id % OrderEntrySQL.categories)")
    }
}

/// Thread-safe.
final class CommitTimes: Sendable {
    private let times = Lock(LatencyHistogram())

    func add(_ duration: Duration) { times.withLock { $0.add(nanoseconds: duration.nanoseconds) } }

    /// In milliseconds.
    func quantile(_ share: Double) -> Double? {
        times.withLock { $0.nanoseconds(atQuantile: share) }.map { Double($0) / 1e6 }
    }
}
