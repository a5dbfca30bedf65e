final class SQLiteBackup { func abandon() {} }
