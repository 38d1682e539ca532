# torch.nn as the evaluator sees it: attributes as torch's own modules have them, forward in terms of torch.


class Module:
    def __init__(self):
        pass
