import ConnectionPool

/// The tables and statements of a small shop.
enum OrderEntrySQL {
    static let products = 2000
    static let customers = 10_000
    static let categories = 20

    static let schema = [
        "DROP TABLE IF EXISTS bench_order_line, bench_order, bench_product, bench_customer",
        """
        CREATE TABLE bench_product(id int PRIMARY KEY, category int NOT NULL, name text NOT NULL, cents int NOT NULL,
          stock int NOT NULL) WITH (fillfactor=50)
        """,
        "CREATE INDEX ON bench_product(category, id)",
        "CREATE TABLE bench_customer(id int PRIMARY KEY, name text NOT NULL, orders int NOT NULL DEFAULT 0)",
        """
        CREATE TABLE bench_order(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int NOT NULL,
          cents bigint NOT NULL)
        """,
        """
        CREATE TABLE bench_order_line(purchase bigint NOT NULL, product int NOT NULL, count int NOT NULL,
          PRIMARY KEY (purchase, product))
        """,
        """
        INSERT INTO bench_product SELECT i, i % \(categories), 'product ' || i, 100 + i * 7 % 9900, 1000000
        FROM generate_series(1, \(products)) i
        """,
        "INSERT INTO bench_customer SELECT i, 'customer ' || i FROM generate_series(1, \(customers)) i",
        "VACUUM ANALYZE bench_product, bench_customer",
    ]

    static func product(_ id: Int) -> SQLStatement {
        SQLStatement("SELECT name, cents FROM bench_product WHERE id=$1", [.int(Int64(id))], role: .read)
    }

    static func category(_ number: Int) -> SQLStatement {
        SQLStatement(
            "SELECT id, name, cents FROM bench_product WHERE category=$1 ORDER BY id LIMIT 20", [.int(Int64(number))],
            role: .read)
    }

    static func customer(_ id: Int) -> SQLStatement {
        SQLStatement("SELECT name, orders FROM bench_customer WHERE id=$1", [.int(Int64(id))], role: .read)
    }

    static func order(customer: Int) -> SQLStatement {
        SQLStatement(
            "INSERT INTO bench_order(customer, cents) VALUES($1, 0) RETURNING id", [.int(Int64(customer))],
            role: .write)
    }

    static func line(order: Int64, product: Int) -> SQLStatement {
        SQLStatement(
            "INSERT INTO bench_order_line(purchase, product, count) VALUES($1, $2, 1)",
            [.int(order), .int(Int64(product))], role: .write)
    }

    static func takeFromStock(_ product: Int) -> SQLStatement {
        SQLStatement("UPDATE bench_product SET stock=stock-1 WHERE id=$1", [.int(Int64(product))], role: .write)
    }

    static func changePrice(_ product: Int) -> SQLStatement {
        SQLStatement("UPDATE bench_product SET cents=cents%9900+1 WHERE id=$1", [.int(Int64(product))], role: .write)
    }
}
