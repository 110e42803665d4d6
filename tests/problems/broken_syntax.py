def check_invoice(:
    pass
