// swift-tools-version: 6.2
import PackageDescription

// A package as any team has one: a pool of its own, and tests that try it with chaosrig.
let package = Package(
    name: "example",
    // Elsewhere: .package(url: "https://…/chaosrig.git", from: "0.1.0")
    dependencies: [.package(name: "chaosrig", path: "../..")],
    targets: [
        .systemLibrary(name: "LibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "TinyPool", dependencies: ["LibPQ"]),
        .testTarget(
            name: "TinyPoolTests",
            dependencies: ["TinyPool", .product(name: "ChaosRigTesting", package: "chaosrig")],
            exclude: ["restart.yaml"]),
    ],
    swiftLanguageModes: [.v6]
)
