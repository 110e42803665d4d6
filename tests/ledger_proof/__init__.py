"""The proof that the ledger equals the invoice.

A test upstream in a process of its own (`upstream`, which answers as `plays` say) keeps its own books (`books`). A
driver (`driver`) plays planned scenes (`scenes`) against several `fondation serve` processes on one database
(`fleet`), which are killed and stopped meanwhile. Then `audit` lays the ledger beside the books, call by call.

    python -m tests.ledger_proof --calls 5000 --processes 3 --kills 12 --seed 7
"""
